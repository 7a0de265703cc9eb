console.log('waiter');
